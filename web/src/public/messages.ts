import type { Messages } from '@/i18n'

export const messages: Messages = {
  'zh-CN': {
    public: {
      urgent: '有人遇险请先拨打 119 或 110。', about: '看到堤防冒水、裂缝、塌坡、漫水，或有人在危险处，请写下来，最好附照片。值班人员核实后处理。不需要账号，不记录您是谁；照片里的拍摄地点等信息会被去掉。',
      text: '看到了什么', place: '在哪里（村名、桩号、明显标志）', photos: '拍照或选照片（最多 3 张）', shrinking: '正在压缩照片……', locate: '用我现在的位置', located: '已带上位置，误差约 {n} 米', noFix: '取不到位置，请用文字写明地点', photosN: '{n} 张照片',
      send: '上报', unsent: '没有发出。请检查信号，再点一次“上报”；已写的内容还在。紧急情况请拨打 119 或 110。', done: '已收到，编号 {id}。值班人员会核实。', another: '再报一条', off: '本站没有开启公众上报。紧急情况请拨打 119 或 110。',
      noText: '请写明情况或附照片', noPlace: '请写明地点，或带上位置', tooMany: '最多 3 张', notPicture: '{name} 打不开或不是照片',
    },
  },
  en: {
    public: {
      urgent: 'If someone is in danger, call 119 or 110 first.', about: 'If you see water seeping through the levee, a crack, a slide, water over the crest, or people in a dangerous place: write it down, best with a photo. An officer will look into it. No account is needed and nothing about you is kept; what the camera wrote into the photo is removed.',
      text: 'What you see', place: 'Where (village, chainage, landmark)', photos: 'Take or choose photos (at most 3)', shrinking: 'Making the photos small …', locate: 'Use my position', located: 'Position added, within about {n} m', noFix: 'No position: write the place in words', photosN: '{n} photos',
      send: 'Send', unsent: 'It was not sent. Check your signal and press Send again; what you wrote is kept. In an emergency call 119 or 110.', done: 'Received, number {id}. An officer will look at it.', another: 'Report something else', off: 'Reports of the public are not open here. In an emergency call 119 or 110.',
      noText: 'Say what you see, or add a photo', noPlace: 'Write the place, or add your position', tooMany: 'At most 3', notPicture: '{name} cannot be opened as a photo',
    },
  },
}
