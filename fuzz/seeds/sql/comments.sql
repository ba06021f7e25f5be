select /*! 1 /*! 2 */ */ -- end
 1 /* open